package stage

import (
	"strings"
	"sync"
)

// sources numbers the values of AddSource, of which a job has few, so that a record holds a number.
// A text that is long, or comes when the dictionary is full, has no number (0) and is written out;
// it never gets one later, so that equal values are always written alike.
type sources struct {
	mu    sync.Mutex
	codes map[string]uint32
	texts []string // by code
}

const (
	maxSources    = 4096
	maxSourceText = 64
)

func newSources() *sources {
	return &sources{codes: make(map[string]uint32), texts: []string{""}}
}

// code numbers a text.
func (s *sources) code(text string) uint32 {
	if len(text) > maxSourceText {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	code, ok := s.codes[text]
	if !ok && len(s.texts) <= maxSources {
		text = strings.Clone(text)
		code = uint32(len(s.texts))
		s.codes[text] = code
		s.texts = append(s.texts, text)
	}
	return code
}

// sourceCache is one lane's memory of the codes that it has seen.
type sourceCache struct {
	all      *sources
	seen     map[string]uint32
	last     string
	lastCode uint32
}

func (c *sourceCache) code(text string) uint32 {
	if text == c.last && c.lastCode != 0 {
		return c.lastCode
	}
	code, ok := c.seen[text]
	if !ok {
		if code = c.all.code(text); code == 0 {
			return 0
		}
		text = strings.Clone(text)
		c.seen[text] = code
	}
	c.last, c.lastCode = text, code
	return code
}
