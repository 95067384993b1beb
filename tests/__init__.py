"""One module of tests a module of lipbench; a test is a sentence about behaviour."""
