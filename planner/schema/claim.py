"""Published measurements: the columns of a table of claims, and the stacks their software names mean."""

import re
from hashlib import sha256
from typing import NamedTuple

REQUIRED = ("case", "task", "scenario", "workload", "hardware", "precision", "metric", "value")
NUMBERS = (
    "devices", "batch", "micro_batch", "global_batch", "sequence_length", "input_tokens", "output_tokens",
    "tp", "pp", "cp", "ep", "params_m", "gmacs", "mactivations", "concurrency", "attention_dp", "moe_tp", "value",
)  # fmt: skip
TEXTS = (
    "case", "source", "ref", "task", "scenario", "workload", "hardware", "precision", "image_size",
    "sharding", "recompute", "software", "metric", "unit", "notes",
)  # fmt: skip

# What a row says of its software, source or notes -> the stack whose coefficients apply. First match wins.
STACKS = tuple(
    (re.compile(pattern, re.IGNORECASE), stack)
    for pattern, stack in (
        (r"trtllm|tensorrt-?llm", "trtllm"),
        (r"sglang", "sglang"),
        (r"vllm", "vllm"),
        (r"llama\.cpp", "llama.cpp"),
        (r"deepspeed-?mii", "deepspeed-mii"),
        (r"deepspeed", "deepspeed"),
        (r"neuron", "neuron"),
        (r"synapse|gaudi", "synapse"),
        (r"arxiv\S*2205\.05198", "megatron-2022"),  # the paper on Megatron-LM before FlashAttention
        (r"megatron|\bnemo\b", "megatron"),
        (r"maxtext", "maxtext"),
        (r"torchtitan", "torchtitan"),
        (r"llm-foundry|mosaicml", "fsdp"),
        (r"pytorch-image-models|timm/", "timm"),
        (r"vitis-ai", "vitis-ai"),
        (r"hailo", "hailort"),
        (r"mlcommons|mlperf", "mlperf"),
    )
)
FUSED = frozenset(
    {
        "trtllm",
        "sglang",
        "vllm",
        "llama.cpp",
        "deepspeed-mii",
        "neuron",
        "synapse",
        "megatron",
        "megatron-2022",
        "synapse-train",
        "maxtext",
        "mlperf",
        "mlperf-network",
    }
)
"""Stacks that fuse elementwise work into their kernels or compile it."""

FUSED_LOSS = FUSED | {"fsdp"}
"""Stacks whose cross-entropy is one kernel: llm-foundry's default loss_fn is fused_crossentropy; the rest is eager."""

QUEUED = {
    "perf-overview": {
        (128, 128): 30000, (128, 2048): 3000, (128, 4096): 1500, (500, 2000): 3000, (1000, 1000): 3000, (1000, 2000): 1500,
        (1024, 1024): 3000, (1024, 8192): 1500, (1024, 32768): 1000, (2048, 128): 3000, (2048, 2048): 1500, (5000, 500): 1500,
        (8192, 1024): 1500, (20000, 2000): 1000, (32768, 1024): 1000,
    },
}  # fmt: skip
"""Requests that a benchmark queues at once and then runs dry, by its source and (input, output) tokens: the tables of
$num_requests in NVIDIA/TensorRT-LLM docs/source/performance/perf-overview.md (v1.0) and developer-guide/perf-overview.md."""

GUESSED = re.compile(r"trtllm (?:1\.2\.0rc6\.post3|1\.1\.0rc2\.post2.*measured=2026)")
"""What software and notes say of the runs of DeepSeek-R1 in InferenceMAX whose own layer guesses ahead. Of its sections for
TensorRT-LLM on B200 those named mtp have release 1.2.0rc6.post3 and the others post2
(SemiAnalysisAI/InferenceX .github/configs/nvidia-master.yaml). They came in January 2026 with 1.1.0rc2.post2, which the others
had in 2025 (its perf-changelog.yaml, pull requests 392, 594, 620 and 642)."""
MAY_GUESS = re.compile(r"trtllm 0\.8\.1\.post")
"""... and of its disaggregated runs of DeepSeek-R1 with TensorRT-LLM, half of which guess: sections dsr1-*-dynamo-trt have most
concurrencies with and without, and a row does not say which. Where no layout (``Apart``) says it, the middle is estimated."""
GUESSES = (3.0, 1.0)
"""... and how many: "MTP=3 (or MTP=1 when DP_ATTN=true)", of the same sections."""
ACCEPTED = 0.69
"""... of which so large a share holds, each alone: 2.5 tokens a step where three are guessed and prompts, as in those sections,
wear a chat template (SemiAnalysisAI/InferenceX pull request 649)."""

FOR_MANY = re.compile(r"trtllm 1\.1\.0rc2")
"""Software of InferenceMAX runs in fp8 whose experts' kernels are DeepGEMM's also where ranks attend together: TRTLLM became the
default with 1.2.0rc6.post2 (perf-changelog.yaml of SemiAnalysisAI/InferenceX, pull request 594)."""

ATTENDS_APART = "MoE models run attention data parallel"
"""What the notes of TensorRT-LLM's tables say where every rank of a mixture attends to requests of its own."""

UNPIECED = frozenset({"trtllm"})
"""Stacks that prefill a prompt in one pass however long it is: enable_chunked_prefill of TensorRT-LLM's llm_args.py is off by
default."""

CAPTURED = re.compile(r"perf-overview(?!.*\(v0\.1\d\))")
"""What a row's reference says where decode steps are padded to captured CUDA graphs (``model.serving.GRAPHS``): TensorRT-LLM's
overview, whose runs are of the PyTorch backend since v0.19; releases before that ran compiled engines without."""

WRITTEN = frozenset({"megatron-2022", "llama.cpp", "deepspeed", "neuron"})
"""Stacks whose attention writes every score to memory: FlashAttention (arXiv:2205.14135) came after them, or was off unless asked
for (ggml-org/llama.cpp issue 10005; --use_flash_attention of optimum-habana's run_generation.py). That of AWS Neuron is of July
2024 (release notes of neuronx-nemo-megatron 0.6.0), after its tables of language models were measured."""

PORTABLE = frozenset({"fsdp"})
OUTDONE = {"nvidia-hopper": 35 / 75, "nvidia-blackwell": 35 / 75}
"""Share that FlashAttention-2 reaches, by family, of what kernels written for that reach (35 and 75 % of an H100's peak:
FlashAttention-3, arXiv:2407.08608), for stacks that attend with it or with Triton's like it on every device: llm-foundry's
attn_impl is flash or triton, and its published runs on H100 are of 2023."""

SPREAD = frozenset({"llama.cpp"})
"""Stacks of those that multiply each query head with keys and values by itself, also where heads share them (the batched products
of ggml-org/llama.cpp pull request 3749)."""

CORES_APART = frozenset({"neuron"})
"""Stacks to which a device is as many devices as it has cores: ranks are cores, and a model runs whole on each core, side by
side, unless told to split (AWS Neuron documentation, tp_degree of transformers-neuronx and torch_neuronx.DataParallel):
published batches and latencies of encoders are those of one core, and throughput that of all."""

STATIC = frozenset({"neuron", "deepspeed"})
"""Stacks that compile for fixed shapes, so that a decode step reads all of the cache that a request is to fill (AWS Neuron
documentation, "Decode Context-Length Bucketing"; bucket_size of optimum-habana, by default the prompt with all new tokens)."""

WHOLE = frozenset({"deepspeed"})
"""Stacks that compute a prompt padded by all the tokens to come, with the logits of each: optimum-habana without reuse_cache (its
pull request 422) and trim_logits."""

ALIKE = frozenset({("trtllm", "argonne-lcf/LLM-Inference-Bench"), ("deepspeed", "argonne-lcf/LLM-Inference-Bench")})
"""Stacks whose benchmark, by its source, sends the same text in every request, and all to the same experts: generate_input of
that repository's Deepspeed-MII/Gaudi2/run_generation.py; input_text of its TensorRT-LLM/A100/Benchmarking_Throughput/run.py,
where 16 requests take a step of Mixtral in less time than all of its weights would take to read."""

UNPACKS = frozenset({"llama.cpp"})
"""Stacks that write weights of less than 16 bits out in 16 before products of many rows (ggml-org/llama.cpp pull request 3412);
on GPUs only."""

BOTH_COUNTED = re.compile(r"neuron-2\.1[0-7]\b")
"""Software whose published tokens/s, and time a token, count a request's input and output alike: the note under the tables of
language models (aws-neuron/aws-neuron-sdk, general/benchmarks/inf2/inf2-performance.rst at 277baef)."""

HALF_SUMS = frozenset({"llama.cpp"})
"""Stacks that sum products of fp16 in fp16 too, where a device is faster at that (CUBLAS_COMPUTE_16F; ggml-org/llama.cpp pull
request 3816, which would have summed in fp32, was closed)."""

NETWORKS = "-network"
"""Behind the name of a stack that runs networks beside language models: the kernels of one say nothing about the other's."""
BOTH = frozenset({"mlperf"})

UNNAMED = {"mlperf": ("vllm",)}
"""What stands in for a benchmark's name, which says nothing of the software, on families of which no run of it was fitted."""

HALF_GRADIENTS = frozenset({"megatron", "maxtext"})
"""Stacks that keep and exchange gradients in 16 bits: NeMo's, by its guide (docs.nvidia.com/nemo-framework, "Mixed Precision
Training")."""

OVERLAPPED = frozenset({"megatron", "maxtext"})
"""Stacks that run sums over tensor ranks, and an interleaved pipeline's sends, beside products (tp_comm_overlap and
overlap_p2p_comm of NeMo; XLA's collective matmul)."""

BY_OPERATOR = frozenset({"torchtitan"})
"""Stacks whose selective recomputation keeps attention and every other product: their own is not that of arXiv:2205.05198."""

UNBALANCED = frozenset({"torchtitan"})
"""Stacks whose context-parallel ranks hold consecutive tokens, so that the last of them has the most attention to compute."""

TRAINS_TOO = frozenset({"synapse", "neuron", "deepspeed", "timm"})
"""Stacks that serve and train: what they keep of their kernels' speed in training is of another name, with "-train" behind it."""

PAGED = frozenset({"vllm", "trtllm", "sglang"})
"""Stacks that keep what does not fit into their paged cache waiting (PagedAttention, arXiv:2309.06180): of a batch that is
larger than memory, so many requests run at a time as fit with all of their output."""

RESERVE_AFTER = frozenset({"trtllm"})
"""Stacks that leave free a share of what the model leaves: TensorRT-LLM's free_gpu_memory_fraction, 0.9 by default; vLLM's
gpu_memory_utilization is of all memory."""

RESERVED = frozenset({"trtllm"})
"""Stacks that admit a request only where the cache of all its output is free: TensorRT-LLM's default capacity scheduler is
GUARANTEED_NO_EVICT (nvidia.github.io/TensorRT-LLM, "Useful runtime flags")."""

PIECE, TURN = 512.0, 2048.0
"""Tokens of a prompt that a SERIAL stack computes at once, and that it hands over at once: llama.cpp's default ubatch and batch
(-ub 512, -b 2048). The pieces of a turn follow each other through the devices that a model is split over, and the next turn
begins when they are through."""

SERIAL = frozenset({"llama.cpp"})
"""Stacks that answer one request after another and split a model over devices by layers, so that one device works at a time."""


INFERENCEMAX = re.compile(r"db-dump/|source_file=\d{4}-")
"""Notes of dumps of InferenceMAX runs. Where they give experts as many tensor as expert ranks, the ranks of attention are their
product, and the run had that number once. 32 of the 182 such runs of concurrency_h100_b200.csv stand in it a second time, with
the same value to the last digit, as so many ranks with experts dealt out and not split."""

TWO_EACH = re.compile(r"\dx-[\w-]+-Dual/")
"""Submissions to MLPerf whose systems count cards with two of a device on each, by the name of the system."""

SCORED = {"queries_per_s": "output_tokens_per_s"}
"""MLPerf scores models that generate text by tokens a second; v5.1's summary calls those of Llama 3.1 8B's interactive scenario
queries: 5,486 of them on an H200, which are 909 tokens each, would be 40 times the FLOP/s it has."""

DRAWN = 0.9
"""Mean length of prompts and answers of INFERENCEMAX runs, beside what their tables give: each is drawn evenly between 0.8 of
that and all of it (RANDOM_RANGE_RATIO 0.8 in the "Benchmark Client Configuration" of its README)."""


def stack(text: str) -> str:
    """The stack that ``text`` names, or "default"."""
    return next((name for pattern, name in STACKS if pattern.search(text)), "default")


def precision(text: str) -> str:
    """The planner's name of a precision as tables write it, or "" for none."""
    plain = text.strip().lower()
    known = {
        "": "",
        "nan": "",
        "none": "",
        "int4": "w4a16",
        "uint4": "w4a16",
        "float16": "fp16",
        "bfloat16": "bf16",
        "float32": "fp32",
    }
    known |= {"mxfp4": "fp4", "fp8_block": "fp8", "amp": "fp16"}
    if plain in known:
        return known[plain]
    if plain.startswith("{") or "," in plain:  # precisions by part: of the part with the work, or what most parts name
        unet = re.search(r"\bunet\b\W*(\w+)", plain)
        if unet:
            return unet[1]
        named = re.findall(r"(fp32|fp16|bf16|fp8|int8|fp4)", plain)
        return max(dict.fromkeys(named), key=named.count) if named else ""
    return plain


FED = 5
"""One network in so many feeds the fit of the network law; the others only ever score it."""
FED_RUNS = 3
"""One run of a language model in so many feeds the fit of its software stack."""
FED_OF_FEW = {"torchtitan": 2, "synapse-train": 2, "vitis-ai": 2, "hailort": 2, "mlperf-network": 2}
"""The same for stacks with so few published runs that a third of them would not do."""


def feeds_fit(name: str, of: int = FED) -> bool:
    """Whether a published network or run belongs to the share that coefficients may be fitted to, by its name alone."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big") % of == 0


class Apart(NamedTuple):
    """How a benchmark's own files lay out a run with prefill and decode on workers of their own: how many workers, their tensor
    degree, ranks that attend apart and ranks of experts; the most requests a rank decodes at once, NaN where they do not say; and
    tokens guessed ahead.
    """

    prefillers: float
    prefill_tp: float
    prefill_adp: float
    prefill_ep: float
    decoders: float
    tp: float
    adp: float
    ep: float
    batch: float
    guesses: float


LAID_OUT = {
    "prefillers": "prefill_workers", "prefill_tp": "prefill_tp", "prefill_adp": "prefill_attention_dp",
    "prefill_ep": "prefill_ep", "decoders": "workers", "tp": "tp", "adp": "attention_dp", "ep": "ep", "batch": "batch",
    "guesses": "guesses",
}  # fmt: skip
"""Its fields, and the columns of planner/data/runs/disaggregated.csv."""
