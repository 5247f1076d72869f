"""One file a gate kind, its spec above its executor; a gate answers with an outcome too."""
