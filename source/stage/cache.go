package stage

import "sync"

// blockKey names a block.
type blockKey struct {
	file   int
	offset int64
}

const (
	cacheSlots = 64
	cacheBytes = 4 << 20
)

// blockCache keeps the blocks that were used last: the rosters of one block are loaded one after
// the other, and each chunk of a large roster soon after the one before. What it holds is never
// changed, so that readers share it.
type blockCache struct {
	mu    sync.Mutex
	slots [cacheSlots]cachedBlock
	clock int64
	bytes int
}

type cachedBlock struct {
	key  blockKey
	raw  []byte
	used int64
}

func (c *blockCache) get(key blockKey) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.slots {
		if s := &c.slots[i]; s.raw != nil && s.key == key {
			c.clock++
			s.used = c.clock
			return s.raw
		}
	}
	return nil
}

// put keeps a block, instead of the ones that were used longest ago if there are too many.
func (c *blockCache) put(key blockKey, raw []byte) {
	if len(raw) == 0 || len(raw) > cacheBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.bytes+len(raw) > cacheBytes {
		c.drop(c.find(func(s *cachedBlock) bool { return s.raw != nil }))
	}
	s := c.find(func(*cachedBlock) bool { return true })
	c.drop(s)
	c.clock++
	*s = cachedBlock{key: key, raw: raw, used: c.clock}
	c.bytes += len(raw)
}

// find returns the slot that was used longest ago among those that fit; a free one was never used.
func (c *blockCache) find(fits func(*cachedBlock) bool) *cachedBlock {
	var oldest *cachedBlock
	for i := range c.slots {
		if s := &c.slots[i]; fits(s) && (oldest == nil || s.used < oldest.used) {
			oldest = s
		}
	}
	return oldest
}

func (c *blockCache) drop(s *cachedBlock) {
	c.bytes -= len(s.raw)
	*s = cachedBlock{}
}
