"""What changes in this room: partners, shares of campaigns, and the indicators of others."""
