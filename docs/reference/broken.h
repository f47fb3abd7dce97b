// broken.h -- what doxygen has to warn of: the negative control of the reference.
#pragma once

/** @param another what is not there */
void broken(int one);
