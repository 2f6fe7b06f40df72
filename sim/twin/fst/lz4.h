/* The two functions of LZ4 that Verilator's FST writer calls, so that waveforms need no system library. Block format:
   https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

/* Greedy, one hash slot per 4-byte sequence. `bound` is LZ4_compressBound of `size`, which always suffices. */
inline int LZ4_compress_default(const char *from, char *to, int size, int /* bound */) {
    constexpr int SHORTEST = 4, LAST_LITERALS = 5, LAST_MATCH = 12, FARTHEST = 65535, HASH_BITS = 14;
    const auto *source = reinterpret_cast<const uint8_t *>(from);
    auto *out = reinterpret_cast<uint8_t *>(to);
    auto length = [&out](int left) {
        for (; left >= 255; left -= 255) *out++ = 255;
        *out++ = static_cast<uint8_t>(left);
    };
    auto sequence = [&](int literals_from, int literals, int offset, int match) {
        const int extra = match ? match - SHORTEST : 0;
        *out++ = static_cast<uint8_t>((literals < 15 ? literals : 15) << 4 | (extra < 15 ? extra : 15));
        if (literals >= 15) length(literals - 15);
        if (literals) std::memcpy(out, source + literals_from, literals);
        out += literals;
        if (!match) return;
        *out++ = static_cast<uint8_t>(offset);
        *out++ = static_cast<uint8_t>(offset >> 8);
        if (extra >= 15) length(extra - 15);
    };
    auto word = [source](int at) {
        uint32_t value;
        std::memcpy(&value, source + at, 4);
        return value;
    };
    std::vector<int> seen(1 << HASH_BITS, -1);
    int literals_from = 0;
    for (int at = 0; at + LAST_MATCH <= size;) {
        int &slot = seen[word(at) * 2654435761u >> (32 - HASH_BITS)];
        const int before = slot;
        slot = at;
        if (before < 0 || at - before > FARTHEST || word(before) != word(at)) {
            ++at;
            continue;
        }
        int match = SHORTEST;
        while (at + match < size - LAST_LITERALS && source[before + match] == source[at + match]) ++match;
        sequence(literals_from, at - literals_from, at - before, match);
        at += match;
        literals_from = at;
    }
    sequence(literals_from, size - literals_from, 0, 0);
    return static_cast<int>(out - reinterpret_cast<uint8_t *>(to));
}
