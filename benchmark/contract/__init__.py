"""The contract: the promises of every method and every task, which `sparsefront check` and the tests hold them to."""
