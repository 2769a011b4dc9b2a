"""What is kept of people, why and for how long; legal holds, and erasures."""
