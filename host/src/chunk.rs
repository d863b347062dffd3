//! One OpenAI chunk: stamping, assembling, making chunks out of a whole answer.
