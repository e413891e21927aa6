package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/objects"
	"friendmigrate/source/stage"
)

// Job is the job in a state folder, and what a command has opened of it. It belongs to one
// goroutine, except for the parts that are safe for concurrent use.
type Job struct {
	*Program
	Set      settings.Settings
	Inputs   []string // arguments
	SentWord string   // as in "nothing was sent": "sent", "asked" or "deleted"
	Suffix   string   // of the state folder of a job of its own

	Key   sink.KeySource
	Log   *zap.Logger
	Store *objects.Store // of inputs that are objects; nil: none is
	FS    disk.FS
	Dir   string // the state folder, of this shard

	// What is open. Close closes whatever is not nil, the lock last.
	Lock    *checkpoint.Lock
	Journal *checkpoint.Journal
	Stage   *stage.Stage
	Client  *sink.Client

	Counts source.Counts // counted while the input was read

	rehearsal *rehearsal // nil: not a rehearsal
	unpace    func()     // ends what ObeyPace began; nil: nothing to end
}

// Begin sets how long the command may run (--max-duration; 0: without limit), and tells the view
// which command and shard run.
func (j *Job) Begin(command string, window time.Duration) {
	j.Window = window
	j.NameShard(j.Set.Job.Shard)
	j.View.Begin(progress.Labels{Command: command, Shard: j.Set.Job.Shard.String(), Version: j.Version})
}

// Ready reads the key and makes what needs no folder: the log and the client for object storage.
func (j *Job) Ready(ctx context.Context) (err error) {
	if !j.Set.Service.Rehearse {
		if j.Key, err = j.ReadKey(ctx, j.Set.Service.Key); err != nil {
			return err
		}
	}
	if j.Log, err = newLog(j.Set.Output, j.Screen); err != nil {
		return exit.Because(exit.Unusable, err)
	}
	debug.SetMemoryLimit(settings.RuntimeLimit(j.Set.Job.Memory))
	return j.OpenObjects(ctx, j.Warner(Event("object-storage")))
}

// CheckBase returns an error if the state folder is a file, or that of a shard of the job.
func (j *Job) CheckBase() error {
	state := j.Set.Job.State
	if info, err := os.Stat(state); err == nil && !info.IsDir() {
		return exit.Errorf(exit.Unusable, j.Elsewhere(), "--state is %q, which is not a folder", state)
	}
	if own, is := folder.OwnShard(state); is {
		named := cmp.Or(j.Set.Job.Shard, own).String()
		return Unusable(j.Line().With("state", filepath.Join(state, "..")).With("shard", named),
			"%q is the folder of shard %s: --state is the folder above it", state, own)
	}
	return nil
}

// LockFolder creates and locks the state folder of this shard below base. neighbours returns an
// error if base holds another division of the job.
func (j *Job) LockFolder(ctx context.Context, base string, neighbours func(string, settings.Shard) error) error {
	if err := j.CheckBase(); err != nil {
		return err
	}
	check := func() error {
		err := neighbours(base, j.Set.Job.Shard)
		if errors.Is(err, folder.ErrOther) {
			return &exit.Error{Code: exit.OtherJob, Err: err, Hint: j.oneShard(base) + j.Apart()}
		}
		return j.inUse(err)
	}
	if err := check(); err != nil {
		return err
	}
	j.Dir = folder.Of(base, j.Set.Job.Shard)
	_, err := os.Stat(j.Dir)
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh && len(j.Inputs) == 0 {
		return j.nothingStaged()
	}
	if fresh { // new job: a misspelt input must leave no folder behind
		// A folder without permission is also for the user to fix.
		if _, _, err := j.SourceRequest("").Resolve(ctx); err != nil {
			return exit.Because(exit.Unusable, j.ReadError(ctx, err))
		}
	}
	if j.Lock, err = checkpoint.TryLock(j.Dir); err != nil {
		return j.inUse(err)
	}
	if err := check(); err != nil { // another run may have begun at the same time
		if fresh {
			err = errors.Join(err, folder.Leave(j.Dir))
		}
		return err
	}
	return j.ServeMetrics()
}

// inUse adds the exit code and a hint to the error of a locked folder.
func (j *Job) inUse(err error) error {
	if !errors.Is(err, checkpoint.ErrLocked) {
		return err
	}
	hint := j.onState("status").With("watch", "").String() +
		" # shows what runs there; once that has ended, run the same again"
	return &exit.Error{Code: exit.InUse, Err: err, Hint: hint}
}

// oneShard returns the command for one shard of the job in base, if it is in shards and none is
// named.
func (j *Job) oneShard(base string) string {
	found, _ := folder.Find(base)
	if i := slices.IndexFunc(found, func(p folder.Place) bool { return p.Shard.Count > 0 }); i >= 0 &&
		j.Set.Job.Shard.Count == 0 {
		return j.Line().With("shard", found[i].Shard.String()).String() + " # or another share; for another job: "
	}
	return ""
}

// Close closes what is open; it calls the functions in between after the client is closed and
// before the rest is. Everything durable was synced before.
func (j *Job) Close(between ...func() error) error {
	var errs []error
	if j.unpace != nil {
		j.unpace()
		j.unpace = nil
	}
	if j.Client != nil {
		j.Client.Close()
	}
	if j.rehearsal != nil {
		errs = append(errs, j.rehearsal.stop(context.Background()))
	}
	for _, f := range between {
		errs = append(errs, f())
	}
	if j.Stage != nil {
		errs = append(errs, j.Stage.Close())
	}
	if j.Journal != nil {
		errs = append(errs, j.Journal.Close())
	}
	if j.Lock != nil {
		errs = append(errs, j.Lock.Release())
	}
	return errors.Join(errs...)
}

// Identity returns the identity of the job that the settings ask for, without what only the input
// can tell.
func (j *Job) Identity() checkpoint.Identity {
	return checkpoint.Identity{
		SDKAppID: j.Set.Service.SDKAppID, Target: j.Set.Service.Target(), Options: j.Set.Rows.Canonical(),
		Shard: j.Set.Job.Shard.Index, Shards: j.Set.Job.Shard.Count, Rehearsal: j.Set.Service.Rehearse,
	}
}

// SourceRequest returns the input in the form that package source stages it, in the folder dir.
func (j *Job) SourceRequest(dir string) source.Request {
	return source.Request{
		Inputs: j.Inputs, Stdin: j.Std.In, Objects: j.Store, StateDir: dir, Options: j.Set.Rows,
		Shard: j.Set.Job.Shard.Index, Shards: j.Set.Job.Shard.Count, Memory: StagingShare(j.Set.Job.Memory), FS: j.FS,
		Waits: j.Warner(Event("waits")), Warn: j.Warner(Event("input")),
	}
}

// StagingShare returns how much of --memory reading and staging may hold. The garbage collector
// needs the rest next to what is alive.
func StagingShare(memory int64) int64 { return memory * 55 / 100 }

// AfterLastRun returns when the first call may be sent without exceeding the rate. An earlier
// process may have sent calls until it ended, at most a second's worth, or until just now.
func (j *Job) AfterLastRun(now time.Time) time.Time {
	if j.Journal != nil {
		runs := j.Journal.Runs()
		if n := len(runs); n > 0 && runs[n-1].End != nil && runs[n-1].End.At.Before(now) {
			now = runs[n-1].End.At
		}
	}
	return now.Add(time.Second)
}

// Apart returns the command for a job of its own: the same command with another state folder.
func (j *Job) Apart() string {
	l := j.Line().Without("fresh", "retry-failed").With("state", Beside(j.Set.Job.State, j.Suffix))
	if len(l.Inputs()) == 0 {
		l = l.Of("INPUT") // nothing is staged there
	}
	return l.String()
}

// SameJob returns an error if the job that the state folder belongs to is not the wanted one.
func (j *Job) SameJob(recorded, wanted checkpoint.Identity) error {
	differences := recorded.Differs(wanted)
	if len(differences) == 0 {
		return nil
	}
	hint := j.Apart()
	key := recorded.SDKAppID != wanted.SDKAppID
	wanted.SDKAppID, wanted.Target = recorded.SDKAppID, recorded.Target
	if len(recorded.Differs(wanted)) == 0 { // only the app: a new job would send the same graph to another one
		hint = j.toAppOf(recorded).String() + " # "
		if key {
			hint += "with the key of that app; "
		}
		hint += "or, for a new job, another --state"
	}
	return j.otherJob(hint, differences)
}

func (j *Job) otherJob(hint string, differences []string) error {
	return exit.Errorf(exit.OtherJob, hint, "the state folder %q belongs to another job: %s; nothing was %s",
		j.Dir, strings.Join(differences, "; "), j.SentWord)
}

// toAppOf returns the command line with the app and the service of a job.
func (j *Job) toAppOf(id checkpoint.Identity) exit.CommandLine {
	l := j.Line()
	if id.SDKAppID != j.Set.Service.SDKAppID {
		l = l.With("sdk-app-id", fmt.Sprint(id.SDKAppID))
	}
	if flag, value, given := strings.Cut(id.Target, " "); given && id.Target != j.Set.Service.Target() {
		isIt := func(f string) bool { return f == flag } // a variable of its own need not be unset
		l = j.Without(l, slices.DeleteFunc([]string{"region", "endpoint", "backup-host"}, isIt)...).With(flag, value)
	}
	return l
}

// ReadError adds the exit code to an error of reading the input.
func (j *Job) ReadError(ctx context.Context, err error) error {
	duplicates, repeated := errors.AsType[*stage.DuplicatesError](err)
	switch cause := context.Cause(ctx); {
	case cause != nil:
		err = fmt.Errorf("stopped by %w before this run %s anything", cause, j.SentWord)
	case repeated:
		return j.refuseDuplicates(ctx, duplicates)
	case errors.Is(err, source.ErrUnusable):
		return exit.Because(exit.Unusable, err)
	case errors.Is(err, source.ErrUnreachable):
		err = fmt.Errorf("%w; nothing was %s by this run", err, j.SentWord)
	default:
		return err
	}
	return exit.Errorf(exit.Unfinished, j.ResumeLine().String(), "%w", err)
}
