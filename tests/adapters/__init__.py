"""What is particular to the real adapters: protocols, odd answers, healing."""
