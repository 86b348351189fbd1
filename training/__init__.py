"""The commands: train, measure, compare, score a folder. They stand on `cxr_app`, never on `ui`."""
