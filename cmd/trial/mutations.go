package main

//revive:disable:line-length-limit the texts that are replaced are as long as the code they are in

// mutation is a bug that is planted by replacing a text in a file. The text has to be in the file
// exactly once: otherwise the mutation is an error, and not a bug that nothing finds.
type mutation struct {
	bug      string
	file     string
	old, new string
	by       []string // what has to find it: arguments of go
}

// Parts of the suites, as small as possible, that have to find the bugs.
var (
	byJournal = goTest("./checkpoint", "TestEveryFileOperationFails|TestPowerCutAgainAndAgain|TestKilledAtEveryLength|TestEveryByteFlipped|TestAnnouncedBeforeSent|TestStateSurvivesRestarts")
	byStage   = goTest("./source/stage", "TestSealedDataIsSyncedBeforeTheManifest|TestDamageIsRefusedWherever")
	bySource  = goTest("./source", "TestByteChangedInTheMiddleOfALargeFileIsNoticed|TestLineEndsLoseNoRow|TestShardsShareTheRows|TestAnyNumberOfInputs")
	bySink    = goTest("./sink", "TestItemsGoByAccount|TestNoFalseSuccess|TestReadsLeaveNothingUncertain|TestCheckBeforeTheAnswerSaysNothing")
	byPace    = goTest("./sink", "TestNoBurst|TestNoCatchingUpAfterAStall|TestLowerPaceHoldsAtOnce|TestPaceSteps")
	byEngine  = goTest("./migrate", "TestNothingLandedFromTheStart|TestCallsAreTheLeastAndSerial|TestStormSettlesEverything|TestAnyAnswersAnyInterruptions|TestSignalDrains")
	byReport  = goTest("./cmd/friendmigrate/report", "TestASumThatDoesNotBalanceIsSaid")
	byFolder  = goTest("./cmd/friendmigrate/folder", "TestShardsOfDifferentJobs")
	byDamage  = goTest("./cmd/friendmigrate", "TestOtherFilesInTheState")

	bySlowKills  = byTrial("kill", "--kills=30", "--shape=slow")
	byUnanswered = byTrial("kill", "--kills=2", "--shape=unanswered")
	byFailing    = byTrial("kill", "--kills=2", "--shape=failing")
	byTwo        = byTrial("two", "--twos=4", "--shape=paced")
	byShards     = byTrial("shards", "--shards=5")
	bySchedules  = byTrial("schedule", "--schedules=40")
	bySignals    = byTrial("signal", "--signals=4", "--shape=paced")
)

func goTest(folder, tests string) []string {
	return []string{"test", "-count=1", "-failfast", "-timeout=30s", "-run", "^(" + tests + ")$", folder}
}

func byTrial(row string, flags ...string) []string {
	return append([]string{"run", "./cmd/trial", "--only=" + row, "--seed=1", "--first", "--patience=40s"}, flags...)
}

// mutations are bugs of durability, seriality, pacing and accounting, each of which would break a
// promise.
var mutations = []mutation{
	{"a settlement is acknowledged before it is written", "checkpoint/committer.go",
		"\t\terr := c.commit()\n", "\t\tfor _, e := range c.batch {\n\t\t\te.done <- nil\n\t\t\te.done = make(chan error, 1)\n\t\t}\n\t\terr := c.commit()\n", byJournal},
	{"the journal is not synced", "checkpoint/committer.go",
		"if err := j.file.Sync(); err != nil {", "if err := error(nil); err != nil {", byJournal},
	{"a torn last write stays", "checkpoint/journal.go",
		"if p.tornBytes > 0 {", "if p.tornBytes > 1<<40 {", byJournal},
	{"the checksum of a frame is not looked at", "checkpoint/format.go",
		"if frameSum(r.frame) != h.crc {", "if frameSum(r.frame) == 0 {", byJournal},
	{"it is not noted what may be sent before it is", "checkpoint/journal.go",
		"if err != nil || announced {", "if err != nil || announced || ordinal >= 0 {", byJournal},
	{"what is settled in part is sent again whole", "checkpoint/state.go",
		"\treturn migrate.FullSet(n).Without(settled), ", "\t_ = settled\n\treturn migrate.FullSet(n), ", byJournal},
	{"a finished chunk is sent again by the next run", "checkpoint/state.go",
		"\tif s.done.has(ordinal) {\n\t\treturn open, false\n", "\tif s.done.has(ordinal) && n < 0 {\n\t\treturn open, false\n", byJournal},
	{"a whole file is renamed before it is synced", "migrate/disk/disk.go",
		"w.Flush(), f.Sync(), f.Close()", "w.Flush(), f.Close()", byJournal},
	{"a folder is not synced after a file got its name", "migrate/disk/disk.go",
		"return fsys.SyncDir(filepath.Dir(name))", "_ = filepath.Dir(name)\n\treturn nil", byStage},
	{"sealed rosters are not synced", "source/stage/segment.go",
		"err = f.f.Sync()", "err = nil", byStage},
	{"the checksum of a block is not looked at", "source/stage/stage.go",
		"if crc32.Checksum(stored, castagnoli) != b.crc {", "if crc32.Checksum(stored, castagnoli) == 0 {", byStage},
	{"the last line is lost if it has no end", "source/blocks.go",
		"\t\tb.data = append(b.data, '\\n')\n", "\t\tb.data = b.data[:bytes.LastIndexByte(b.data, '\\n')+1]\n", bySource},
	{"the buffer that finds the end of an input is kept", "source/read.go",
		"\t\t\tfree <- b\n\t\t\treturn nil\n", "\t\t\treturn nil\n", bySource},
	{"an input is known by its first 64 KiB", "source/open.go",
		"\tr.sum.Write(p[:n])\n", "\tif r.n < 64<<10 {\n\t\tr.sum.Write(p[:n])\n\t}\n", bySource},
	{"results go by position", "sink/answer.go",
		"if v.next < len(v.items) && v.account(v.next) == string(account) {", "if v.next < len(v.items) {", bySink},
	{"a missing result counts as imported", "sink/answer.go",
		"migrate.Outcome{Kind: migrate.Again, Uncertain: true, Info: v.unseen(i)}", "migrate.Outcome{Kind: migrate.Imported}", byUnanswered},
	{"the limiter is full at the start", "sink/limiter.go",
		"rate.NewLimiter(rate.Limit(l.pace.max), 1)", "rate.NewLimiter(rate.Limit(l.pace.max), 100)", byPace},
	{"the sliding second is not counted", "sink/limiter.go",
		"if wait := l.departed.room(now, l.pace.window()); wait > 0 {\n", "if wait := l.departed.room(now, 100*l.pace.window()); wait > 0 {\n", byPace},
	{"calls that land nothing from the start are not counted", "migrate/brake.go",
		"\tb.noProgressCalls++\n", "", byEngine},
	{"two workers have one account", "migrate/decide.go",
		"\td.event(\"retry\", code, d.lastMiss, left.Len())\n", "\td.event(\"retry\", code, d.lastMiss, left.Len())\n\ttwin := *w\n\td.rosters++\n\td.ready = append(d.ready, &twin)\n", byEngine},
	{"a signal drops the calls in flight", "migrate/work.go",
		"context.WithoutCancel(res.task.ctx)", "res.task.ctx", byEngine},
	{"the sum is not checked", "cmd/friendmigrate/report/sum.go",
		"if words := a.imbalance(); words != \"\" {", "if words := a.imbalance(); words == \"never\" {", byReport},
	{"a stage without its journal is a new job", "cmd/friendmigrate/job/prepare.go",
		"if j.Stage != nil && j.Journal == nil {", "if j.Stage != nil && j.Journal == nil && ctx == nil {", byDamage},
	{"the rate of the run before is forgotten", "cmd/friendmigrate/job/run.go",
		"\tif j.resumed {\n", "\tif j.resumed && !after.IsZero() {\n", bySlowKills},
	{"nobody looks whether the state is locked", "checkpoint/lock.go",
		"\t\terr := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)\n", "\t\terr := syscall.Flock(int(file.Fd()), syscall.LOCK_UN)\n", byTwo},
	{"an edge that was refused counts as imported", "sink/table.go",
		"\tif code == 0 {\n\t\treturn migrate.Outcome{Kind: migrate.Imported}", "\tif code == 0 || code == 30520 {\n\t\treturn migrate.Outcome{Kind: migrate.Imported}", byFailing},
	{"two workers have one account, seen from the service", "migrate/dispatch.go",
		"\t\tw := d.fresh\n\t\td.fresh = nil\n", "\t\tw := d.fresh\n\t\td.fresh = nil\n\t\ttwin := *w\n\t\td.rosters++\n\t\td.ready = append(d.ready, &twin)\n", byFailing},
	{"each shard takes the whole rate", "cmd/friendmigrate/settings/pace.go",
		"\t\tp.Rate = share\n", "\t\t_ = share\n", byShards},
	{"shards overlap", "source/stage/writer.go",
		"hash, w.options.Shards) == w.options.Shard\n", "hash, w.options.Shards) == w.options.Shard || hash%50 == 0\n", bySource},
	{"shards of different inputs pass as one job", "cmd/friendmigrate/folder/jobs.go",
		"id.Inputs == nil {", "id.Inputs != nil {", byFolder},
	{"every shard tells of rows without an account", "source/parser.go",
		"\tours := p.owns(from)\n", "\tours := from == \"\" || p.owns(from)\n", bySource},
	{"the key is in the log", "sink/signing.go",
		"func (s *signer) sign(key Secret) error {\n", "func (s *signer) sign(key Secret) error {\n\ts.log.Warn(\"signing\", \"with\", key.Reveal())\n", bySignals},
	{"an admin that is gone is taken for an account", "sink/client.go",
		"\t\t\te = c.blame70107(ctx, e)\n", "\t\t\tblamed, e.Verdict = true, migrate.VerdictRefuseAccount\n", bySchedules},
	{"70107 is settled by a check from before the answer", "sink/client.go",
		"if a.begun.Load() == before {", "if before == 0 {", bySink},
	{"a read that was lost leaves edges uncertain", "sink/client.go",
		"e.Uncertain = e.Uncertain && !changesNothing(api)", "e.Uncertain = e.Uncertain || changesNothing(\"\")", bySink},
	{"a refused call lowers the pace again for what left before", "sink/pace.go",
		"r == silent || !c.at.After(p.lowered)", "r == silent", byPace},
	{"a signal ends with 0", "cmd/friendmigrate/job/stop.go",
		"\t\treturn exit.Unfinished\n", "\t\treturn exit.Done\n", bySignals},
}
