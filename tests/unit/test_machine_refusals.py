from lociflow.machine_refusals import memory_refusal


def test_torch_says_that_memory_is_lacking_in_its_own_way():
    assert memory_refusal(
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "train.py"
    )
    assert memory_refusal(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "train.py") is None
    assert memory_refusal(ValueError("can't allocate memory"), "train.py") is None
    told = memory_refusal(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), "train.py")
    assert told is not None
    assert told.startswith("train.py: found no more memory (CUDA out of memory.")
    assert told.endswith("run it on a GPU with more memory, or with smaller batches")
