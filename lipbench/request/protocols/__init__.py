"""The named protocols, a TOML file each."""
