"""Any bytes to a radiograph: DICOM, JPEG and PNG, with the greyscale the sender meant."""
