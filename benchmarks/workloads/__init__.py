"""One file a workload: its network, its data, its cost, and WORKLOAD, which names them."""
