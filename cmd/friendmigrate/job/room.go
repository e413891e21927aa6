package job

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

// Bytes that the state folder takes until a job has ended.
const (
	roomOfEnding = 128 << 10 // report, page, progress and headers of lists, both old and new
	roomOfChunk  = 64        // in the journal: a settlement and its share of a frame; often half of it
	leastEdge    = 60        // an edge of a list without optional fields
	leastResult  = 60        // the other columns of a list
	copies       = 4         // of a failed edge while its list is written: journal, spool, new and old list
	expected     = 10        // the warning assumes that one edge in this many fails
	packed       = 5         // approximate compression ratio of an input
)

// room returns how many bytes the rest of a job takes on disk: at least, and if one edge in ten
// fails.
func room(pendingChunks, pendingEdges, edgeBytes int64) (certain, likely int64) {
	certain = roomOfEnding + roomOfChunk*pendingChunks
	return certain, certain + copies*(pendingEdges/expected)*(max(edgeBytes, leastEdge)+leastResult)
}

// checkRoom checks, before anything is sent, that the disk has room for what the job has to record.
// A disk that fills up later loses nothing, but ends the run.
func (j *Run) checkRoom() error {
	totals, id := j.Journal.Totals(), j.Journal.Identity()
	if totals.Pending == 0 {
		return nil
	}
	free, err := j.Volume.Free(j.Dir)
	if err != nil {
		return nil // not known; a full disk is reported when it happens
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

// edgeBytes returns the approximate bytes of a row of the input.
func (j *Run) edgeBytes() int64 {
	bytes := int64(0)
	for _, in := range j.Counts.Inputs {
		bytes += unpackedBytes(in.Name, in.Size)
	}
	return bytes / max(j.Counts.Rows, 1)
}

// MeasureStage sets Needed to about what staging the input takes on disk: its size. An account
// whose edges do not fit into memory is sorted on disk, which takes several times their size.
func (j *Run) MeasureStage(ctx context.Context) {
	found, _, _ := j.SourceRequest("").Resolve(ctx) // reading the inputs reports their errors
	j.Needed = 0
	for _, in := range found {
		j.Needed += unpackedBytes(in.Name, max(in.Size, 0))
	}
}

// warnOfStage warns, before the input is read, that the disk may not have room for staging it.
func (j *Run) warnOfStage(ctx context.Context) {
	j.MeasureStage(ctx)
	if free, err := j.Volume.Free(j.Dir); err == nil && free < j.Needed {
		j.Log.Warn(fmt.Sprintf("the volume of %q has %s free; staging the input may take %s or more. Nothing is sent "+
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
