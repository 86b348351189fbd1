"""Any bytes to a radiograph: DICOM, JPEG and PNG, shown as their sender intended."""
