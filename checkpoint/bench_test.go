package checkpoint

import (
	"bytes"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// BenchmarkSettle has 300 workers settle whole chunks of 40 edges on a real disk.
func BenchmarkSettle(b *testing.B) {
	const edges = 40
	dir := b.TempDir()
	counted := &countSyncs{FS: disk.OS{}}
	j := newTestJournal(b, counted, dir, sizes(b.N, edges))
	chunk := wholeChunk(0, edges)
	counted.count = 0
	b.ResetTimer()
	var group sync.WaitGroup
	work := make(chan int64)
	for range 300 {
		group.Go(func() {
			for ordinal := range work {
				s := chunk
				s.Chunk.Ordinal = ordinal
				if err := j.Settle(b.Context(), s); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for ordinal := range int64(b.N) {
		work <- ordinal
	}
	close(work)
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/float64(counted.count), "settlements/sync")
	b.ReportMetric(float64(j.end)/float64(b.N), "B/chunk")
}

// countSyncs counts on the committer's goroutine, and is read when that is idle.
type countSyncs struct {
	disk.FS
	count int
}

func (c *countSyncs) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := c.FS.OpenFile(name, flag, perm)
	return countedFile{file, c}, err
}

type countedFile struct {
	disk.File
	c *countSyncs
}

func (f countedFile) Sync() error {
	f.c.count++
	return f.File.Sync()
}

// writeJournal makes a journal of so many chunks, of which every tenth is settled with a failure,
// with so many settlements in a frame.
func writeJournal(b testing.TB, chunks, edges, perFrame int) []byte {
	b.Helper()
	p := sizes(chunks, edges)
	content, err := newJournal(p.identity())
	if err != nil {
		b.Fatal(err)
	}
	header, err := openFrames(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		b.Fatal(err)
	}
	seq := uint32(1)
	for ordinal := int64(0); ordinal < int64(chunks); seq++ {
		frame := append(make([]byte, frameHeaderSize), 10)
		for k := 0; k < perFrame && ordinal < int64(chunks); k++ {
			s := wholeChunk(ordinal, edges)
			if ordinal%10 == 0 {
				s.Chunk.Edges[0] = p.edge(ordinal, 0)
				s.Settled[0].Outcome = migrate.Outcome{Kind: migrate.Failed, Code: 30003, Info: "Err_SNS_FriendImport_Account_Not_Exist"}
			}
			list, err := settlementEntries(s, pieceSize)
			if err != nil {
				b.Fatal(err)
			}
			frame = append(frame, list[0].bytes...)
			ordinal++
		}
		sealFrame(frame, seq, header.fileID)
		content = append(content, frame...)
	}
	return content
}

// BenchmarkReplay opens a journal of a million accounts of 40 friends, of which every tenth has a
// failure.
func BenchmarkReplay(b *testing.B) {
	const chunks, edges = 1_000_000, 40
	for _, perFrame := range []int{1, 50} {
		content := writeJournal(b, chunks, edges, perFrame)
		b.Run(fmt.Sprintf("%d-per-frame", perFrame), func(b *testing.B) {
			for b.Loop() {
				p, err := replay(bytes.NewReader(content), int64(len(content)))
				if err != nil || p.state.chunks != chunks {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(chunks)*float64(b.N)/b.Elapsed().Seconds(), "accounts/s")
			b.ReportMetric(float64(len(content))/chunks, "B/account")
		})
	}
}

// BenchmarkFailures lists 100,000 failures out of a million accounts.
func BenchmarkFailures(b *testing.B) {
	const chunks = 1_000_000
	fsys := newMemFS()
	fsys.put(journalName, writeJournal(b, chunks, 40, 20))
	j := openTestJournal(b, fsys, testDir)
	for b.Loop() {
		count := 0
		for _, err := range j.Failures() {
			if err != nil {
				b.Fatal(err)
			}
			count++
		}
		if count != chunks/10 {
			b.Fatal(count)
		}
	}
	b.ReportMetric(float64(chunks)*float64(b.N)/b.Elapsed().Seconds(), "accounts/s")
}
