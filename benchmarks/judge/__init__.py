"""The canary judge on recorded canaries: is it right, how soon, and how fast."""
