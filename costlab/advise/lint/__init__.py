"""The paper's principles on any network: what is pinched, what is bluntly reduced, what is large."""
