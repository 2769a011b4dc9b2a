"""What kind of text a prompt is: an item of a data set, somebody in need, a document with its instruction. Pure.

- `word_vectors`: a vector for each word, from the weights in WordLlama's wheel
- `concepts`: the mean of a prompt's words against an axis and a few concepts
- `manner`: figures of style, from the words and line beginnings alone

Nothing here keeps a word or a vector of a prompt: each is reduced to a few bits and two small numbers.
"""
