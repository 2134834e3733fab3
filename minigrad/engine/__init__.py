"""The engine: Tensor, the op contract, backward, modes, errors.

Reading order: `op` (what an op is and how a call is recorded), `backward` (how gradients flow),
`tensor` (what users hold), then `modes`, `mutation`, `errors`, `dtypes`, `transforms`.
"""
