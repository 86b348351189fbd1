"""DICOM over the network: films in from modalities and archives, results back to them."""
