"""Any bytes to a radiograph, shown as their sender intended."""
