package stage

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

// Memory is bounded whatever the machine: many cores make the buffers smaller, not the sum of them
// larger.
func TestMemoryIsDealtOutWithinItsBounds(t *testing.T) {
	for memory := int64(MinMemory); memory <= 64<<30; memory *= 2 {
		for lanes := 1; int64(lanes)*MinLaneMemory <= memory && lanes <= 512; lanes *= 2 {
			l := newLimits(memory, lanes)
			adding := int64(lanes)*(l.lane+2*int64(l.batch)) + pairsMemory
			building := int64(l.builders) * (l.builder + buildOverhead)
			if adding > memory/2 || building > memory/2 || l.builders < 1 || l.builders > lanes {
				t.Errorf("%d bytes, %d lanes: %d while adding, %d while %d are building", memory, lanes, adding, building, l.builders)
			}
			if l.parts < 8 || l.parts > 256 || l.parts&(l.parts-1) != 0 || l.page < 4<<10 || int64(l.parts*l.page) > l.lane {
				t.Errorf("%d bytes, %d lanes: %d partitions with pages of %d in %d", memory, lanes, l.parts, l.page, l.lane)
			}
			if fan := l.fan(1 << 40); fan < 2 || fan > 64 || fan&(fan-1) != 0 {
				t.Errorf("%d bytes, %d lanes: split in %d", memory, lanes, fan)
			}
		}
	}
	if _, err := Create(Options{Dir: "staged", FS: newMemory(), Memory: MinMemory - 1, Lanes: 1}); err == nil {
		t.Error("too little memory was accepted")
	}
	if _, err := Create(Options{Dir: "staged", FS: newMemory(), Memory: MinMemory, Lanes: 1, Shard: 2, Shards: 2}); err == nil {
		t.Error("shard 2 of 2 was accepted")
	}
}

// Chunks of long edges take far more than a builder's share, so one builder at a time makes one,
// and gives the memory back.
func TestBuildersDoNotKeepLongChunks(t *testing.T) {
	const rosters, friends, lanes = 16, 40, 4
	w, err := Create(Options{Dir: "staged", FS: newMemory(), Memory: 64 << 20, Lanes: lanes})
	if err != nil {
		t.Fatal(err)
	}
	wording := strings.Repeat("w", MaxEdgeBytes-100)
	for i := range rosters * friends {
		e := migrate.Edge{From: fmt.Sprint("user", i%rosters), To: fmt.Sprint("friend", i), AddSource: "AddSource_Type_A",
			AddWording: wording, Position: migrate.Position{Line: int64(i + 1)}}
		if _, err := w.Lane(i % lanes).Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.makeRoom(); err != nil {
		t.Fatal(err)
	}
	for i, l := range w.lanes {
		if l.out.held != 0 {
			t.Errorf("lane %d still holds %d bytes", i, l.out.held)
		}
	}
	builders, err := w.run(context.Background(), &buildJob{units: w.units()})
	if err != nil {
		t.Fatal(err)
	}
	edges := int64(0)
	for i, b := range builders {
		edges += b.totals.Edges
		if n := cap(b.writer.chunk.out) + cap(b.writer.segments.stored); n > buildOverhead {
			t.Errorf("builder %d keeps %d bytes for its blocks, over its %d", i, n, buildOverhead)
		}
	}
	if edges != rosters*friends {
		t.Errorf("%d edges in the rosters", edges)
	}
}
