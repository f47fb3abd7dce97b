// Nothing: compiled for the headers that the tests have precompiled.
