/* What Verilator's FST writer asks of zlib, so that waveforms need no system library. Nothing is compressed: the answer is always longer
   than what it was given, and the writer stores the shorter of the two. */
#pragma once

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;

constexpr int Z_OK = 0;

inline uLong compressBound(uLong size) { return size + 1; }

inline int compress2(Bytef * /* to */, uLongf *length, const Bytef * /* from */, uLong size, int /* level */) {
    *length = size + 1;
    return Z_OK;
}
