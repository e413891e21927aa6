package stage

import (
	"hash/crc32"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/klauspost/compress/s2"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// FuzzSealedBlock feeds the decoders of the sealed format what a disk, or an enemy who knows how to
// make checksums right, may give them: a block, what a block holds, an index. None may panic, hang
// or take memory beyond all bounds.
func FuzzSealedBlock(f *testing.F) {
	m := smallStage(f)
	s, err := Open("staged", m)
	if err != nil {
		f.Fatal(err)
	}
	for i := range s.body.Segments {
		g := &s.body.Segments[i]
		data := m.files[filepath.Join("staged", s.body.Files[g.file].Name)].data
		f.Add(data[g.offset+g.blocks : g.offset+g.blocks+g.index])
		entries, err := s.readIndex(g)
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range entries {
			for _, b := range e.blocks {
				stored := data[b.offset : b.offset+int64(b.stored)]
				f.Add(stored)
				raw, err := s2.Decode(nil, stored)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(raw)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := s2.DecodedLen(data); err == nil && n <= 1<<20 {
			if raw, why := openBlock(&block{stored: len(data), raw: n, crc: crc32.Checksum(data, castagnoli)}, data); why == "" {
				decodeBundle(t, raw)
			}
		}
		decodeBundle(t, data)
		entries, err := decodeIndex(&segment{blocks: 1 << 20, index: int64(len(data)), rosters: 3, chunks: 3}, data)
		if err == nil && (len(entries) == 0 || len(entries) > 3) {
			t.Errorf("an index of 3 rosters has %d entries", len(entries))
		}
	})
}

// decodeBundle reads all that a block may be taken for.
func decodeBundle(t *testing.T, raw []byte) {
	c := codec.Cursor{Rest: raw}
	for len(c.Rest) > 0 {
		p := readBundled(&c)
		for i := int64(0); i < chunksOf(p.edges) && !c.Bad; i++ {
			b, err := chunkAt(p.chunks, i)
			if err != nil {
				t.Fatal(err)
			}
			if edges, err := decodeChunk("a", b); err == nil {
				encodeAgain(t, edges)
			}
		}
	}
	if b, err := chunkAt(raw, 0); err == nil {
		if edges, err := decodeChunk("a", b); err == nil {
			encodeAgain(t, edges)
		}
	}
}

// encodeAgain checks that what was decoded is a chunk that can be written and read again.
func encodeAgain(t *testing.T, edges []migrate.Edge) {
	k := chunkEncoder{onGroup: func([]byte) {}}
	k.begin()
	for i := range edges {
		e := &edges[i]
		o, err := orderOf(e.Position, e.Added)
		if err != nil {
			return // a sum of differences may leave the range
		}
		r := record[[]byte]{to: []byte(e.To), order: o, literal: []byte(e.AddSource)}
		r.extras, r.flags = codec.AppendFields(nil, e)
		k.add(&r)
	}
	b, memory := k.end()
	again, err := decodeChunk("a", b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range again { // lists that are empty come back as none
		if len(edges[i].Groups) == 0 {
			edges[i].Groups = nil
		}
		if len(edges[i].Custom) == 0 {
			edges[i].Custom = nil
		}
	}
	if !reflect.DeepEqual(again, edges) {
		t.Fatal("a chunk changed when it was written again")
	}
	if n := chunkMemory(migrate.Chunk{Edges: edges}); n > memory {
		t.Fatalf("a chunk takes %d bytes, and %d were announced", n, memory)
	}
}

// FuzzManifest must never panic and never accept what renders otherwise.
func FuzzManifest(f *testing.F) {
	f.Add(smallStage(f).files[filepath.Join("staged", manifestName)].data)
	f.Add([]byte(`{"format":"friendmigrate staged input","version":1,"sha256":"","body":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, why := parseManifest(data)
		if why != "" {
			return
		}
		again, err := b.manifest()
		if err != nil || string(again)+"\n" != string(data) {
			t.Fatalf("a manifest was accepted that renders otherwise: %v", err)
		}
	})
}
