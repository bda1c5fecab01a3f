"""What trained models need at run time."""
