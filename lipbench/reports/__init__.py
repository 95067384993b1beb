"""Reports, made from run folders alone. Nothing here knows of torch."""
