package job

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

// What the state folder takes until a job has ended, in bytes.
const (
	roomOfEnding = 128 << 10 // report, page, progress and the headers of lists, each beside the one that it replaces
	roomOfChunk  = 64        // in the journal: a settlement and its share of a frame; mostly half of that
	leastEdge    = 60        // an edge of a list without optional fields
	leastResult  = 60        // what a list says beside the edge
	copies       = 4         // of a failed edge while its list is written: journal, spool, the list, the list of before
	expected     = 10        // one edge in so many may fail before the warning was too late
	packed       = 5         // what compression makes of an input, about
	stagedShare  = 2         // a staged input takes less than one in so many bytes of it
)

// room is how much the rest of a job takes on disk: for certain, and if one edge in ten fails.
func room(pendingChunks, pendingEdges, edgeBytes int64) (certain, likely int64) {
	certain = roomOfEnding + roomOfChunk*pendingChunks
	return certain, certain + copies*(pendingEdges/expected)*(max(edgeBytes, leastEdge)+leastResult)
}

// checkRoom makes sure, before anything is sent, that the disk will hold what the job has to
// record. A disk that fills up all the same loses nothing, but ends the run in the middle of the
// night.
func (j *Run) checkRoom() error {
	totals, id := j.Journal.Totals(), j.Journal.Identity()
	if totals.Pending == 0 {
		return nil
	}
	free, err := j.Volume.Free(j.Dir)
	if err != nil {
		return nil // nobody knows: it will be seen
	}
	certain, likely := room(id.Chunks-totals.Chunks, totals.Pending, j.edgeBytes())
	j.Needed = likely
	switch {
	case free < certain:
		return exit.Errorf(exit.Unexpected, j.ResumeLine().String()+" # after making room",
			"no space to finish: the volume of %q has %s free, and recording the rest of the job takes %s at least; "+
				"nothing was sent by this run", j.Dir, settings.FormatSize(free), settings.FormatSize(certain))
	case free < likely:
		j.Log.Warn(fmt.Sprintf("the volume of %q has %s free; if a tenth of the edges failed, their list would take "+
			"up to %s. A full disk loses nothing, but stops the job",
			j.Dir, settings.FormatSize(free), settings.FormatSize(likely)), Event("room"), zap.Int64("free", free))
	}
	return nil
}

// edgeBytes is what a row of the input takes, about.
func (j *Run) edgeBytes() int64 {
	bytes := int64(0)
	for _, in := range j.Counts.Inputs {
		bytes += unpackedBytes(in.Name, in.Size)
	}
	return bytes / max(j.Counts.Rows, 1)
}

// MeasureStage estimates how much staging the input takes on disk.
func (j *Run) MeasureStage(ctx context.Context) {
	found, _, _ := j.SourceRequest("").Resolve(ctx) // reading says what is wrong with them
	bytes := int64(0)
	for _, in := range found {
		bytes += unpackedBytes(in.Name, max(in.Size, 0))
	}
	j.Needed = bytes / stagedShare
}

// warnOfStage says before the input is read that the disk may not hold what will be staged of it.
func (j *Run) warnOfStage(ctx context.Context) {
	j.MeasureStage(ctx)
	if free, err := j.Volume.Free(j.Dir); err == nil && free < j.Needed {
		j.Log.Warn(fmt.Sprintf("the volume of %q has %s free; staging the input may take up to %s. Nothing is sent "+
			"before all of it is staged",
			j.Dir, settings.FormatSize(free), settings.FormatSize(j.Needed)), Event("room"), zap.Int64("free", free))
	}
}

func unpackedBytes(name string, size int64) int64 {
	if strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".zst") {
		return size * packed
	}
	return size
}
