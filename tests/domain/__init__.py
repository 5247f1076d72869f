"""Domain values: pure, so their tests are too; many are properties."""
