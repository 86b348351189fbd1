"""The report of one film: a text by the site's template, as PDF and as a FHIR resource."""
