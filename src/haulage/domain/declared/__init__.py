"""What a file says there should be, against what there is."""
