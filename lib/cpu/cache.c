/* The share of the last-level cache, from CPUID, and which outputs are stored past the caches. */
#define _POSIX_C_SOURCE 200809L

#include "cpu/cache.h"

#include "sugar/sugar.h"

#include <stdatomic.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

/* Bytes: assumed where the processor says nothing; and the upper limit, as a hypervisor may report the whole of a
 * cache that several virtual machines share. */
enum { MIB = 1 << 20, USUAL_SHARE = 16 * MIB, LARGEST_SHARE = 32 * MIB };

static uint64_t between(uint64_t least, uint64_t a, uint64_t most) { return a < least ? least : a > most ? most : a; }

#if defined(__x86_64__) || defined(__i386__)
/* The bytes of the deepest cache that `processors` of the machine may expect to have; 0 if the processor lacks the
 * leaf. Leaf 4 of Intel's processors and 0x8000001D of AMD's describe one cache per subleaf in the same way (Intel's
 * Software Developer's Manual, volume 2, CPUID; AMD's Architecture Programmer's Manual, volume 3, appendix E): what one
 * instance of the cache holds, and how many logical processors share it. sysconf() does not serve: for
 * _SC_LEVEL3_CACHE_SIZE glibc adds up all instances of the machine, though a virtual machine with two processors uses
 * only one of them (384 MiB instead of 32 MiB, seen on Zen 5). */
static uint64_t share_of_leaf(unsigned leaf, uint64_t processors)
{
    uint64_t share = 0;
    unsigned eax, ebx, ecx, edx, deepest = 0;
    for (unsigned subleaf = 0; __get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx); subleaf++) {
        const unsigned type = eax & 31, level = eax >> 5 & 7;   /* type 0: no more, 2: instructions only */
        if (type == 0)
            break;
        if (type == 2 || level <= deepest)
            continue;
        const uint64_t sharing = (eax >> 14 & 0xfff) + 1;
        const uint64_t ways = (ebx >> 22) + 1, partitions = (ebx >> 12 & 0x3ff) + 1, line = (ebx & 0xfff) + 1;
        deepest = level;
        share = ways * partitions * line * (ecx + UINT64_C(1)) / sharing * between(1, processors, sharing);
    }
    return share;
}

static uint64_t find_share(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const uint64_t here = processors > 0 ? (uint64_t)processors : 1;
    const uint64_t share = share_of_leaf(4, here);
    return share ? share : share_of_leaf(0x8000001d, here);
}
#else
static uint64_t find_share(void) { return 0; }
#endif

/* The processor is asked once. Threads that ask it at the same time find the same answer. */
uint64_t sugar_cache_share(void)
{
    static _Atomic uint64_t answer; /* 0: not asked yet */
    uint64_t share = atomic_load_explicit(&answer, memory_order_relaxed);
    if (share)
        return share;
    share = find_share();
    share = share ? between(SUGAR_SMALLEST_STREAM, share, LARGEST_SHARE) : USUAL_SHARE;
    atomic_store_explicit(&answer, share, memory_order_relaxed);
    return share;
}

bool sugar_is_streamed(uint64_t flags, uint64_t bytes, bool in_place)
{
    if (in_place || flags & (SUGAR_CALL_TEMPORAL | SUGAR_CALL_ACCUMULATE))
        return false;
    if (flags & SUGAR_CALL_NONTEMPORAL)
        return true;
    return bytes > SUGAR_SMALLEST_STREAM && bytes > sugar_cache_share();
}
