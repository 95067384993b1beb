"""The built-in methods, one file each; the file name is the method name."""
