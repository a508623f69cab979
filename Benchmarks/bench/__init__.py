"""The benchmark harness: builds the peers, measures them beside luareact, prints one table."""
