package stage

import (
	"slices"
	"sync"
)

// cachedBlock is a block and where it lies.
type cachedBlock struct {
	file   int
	offset int64
	raw    []byte
}

const (
	cacheBlocks = 64
	cacheBytes  = 4 << 20
)

// blockCache keeps the blocks that were used last: the rosters of one block are loaded one after
// the other, and each chunk of a large roster soon after the one before. What it holds is never
// changed, so that readers share it.
type blockCache struct {
	mu     sync.Mutex
	blocks []cachedBlock // the one that was used last stands first
	bytes  int
}

func (c *blockCache) get(file int, offset int64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.blocks, func(b cachedBlock) bool { return b.file == file && b.offset == offset })
	if i < 0 {
		return nil
	}
	found := c.blocks[i]
	copy(c.blocks[1:], c.blocks[:i])
	c.blocks[0] = found
	return found.raw
}

// put keeps a block, instead of the ones that were used longest ago if there are too many.
func (c *blockCache) put(file int, offset int64, raw []byte) {
	if len(raw) > cacheBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = slices.Insert(c.blocks, 0, cachedBlock{file, offset, raw})
	for c.bytes += len(raw); c.bytes > cacheBytes || len(c.blocks) > cacheBlocks; {
		last := len(c.blocks) - 1
		c.bytes -= len(c.blocks[last].raw)
		c.blocks[last] = cachedBlock{}
		c.blocks = c.blocks[:last]
	}
}
