package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

func importCommand() command {
	return command{
		name: "import", args: "INPUT...", flags: settings.Flags, do: operate(importing),
		usage: "the job: validate, group, send, record, report. Run it again to resume",
		text: `Reads edges, checks them, groups them by From_Account, sends them by friend_import and records what
became of each. Nothing is sent before the whole input was read and found sound. After any
interruption the same command continues where it was; run after the end, it sends nothing.

INPUT is a file, a folder (its inputs in name order), an object or a prefix of an S3 store
(s3://bucket/key, s3://bucket/prefix/) or - for standard input: .csv, .jsonl or .ndjson, each also .gz
or .zst. Columns and keys carry the API's names: From_Account, To_Account, AddSource, Remark,
RemarkTime, GroupName, AddWording, AddTime, Tag_SNS_Custom_*.

Both accounts of an edge have to exist before: see friendmigrate accounts. Blocking someone removes the
friendship from both lists. friend_import raises no "after friend added" webhook. A trial app holds 20
friends per account and 100 accounts.
`,
	}
}

// importing is the operation of import: friend_import, or with --only-missing friend_check first.
var importing = job.Operation{
	Command: "import", Settled: "in place", Already: "there before", Sent: "sent", Suffix: "-2",
	Caller: func(r *job.Run) migrate.Caller {
		if r.Set.Job.OnlyMissing {
			return migrate.CallerFunc(r.Client.ImportMissing)
		}
		return migrate.CallerFunc(r.Client.Import)
	},
}

// operate is what a command does that runs an operation.
func operate(op job.Operation) func(*program, context.Context, invocation) error {
	return func(p *program, ctx context.Context, in invocation) error {
		return p.end(p.NewRun(op, in.Settings, in.values, in.args).Do(ctx))
	}
}

func updateCommand() command {
	return command{
		name: "update", args: "INPUT...", flags: settings.Flags, do: operate(updating),
		usage: "sets Remark, GroupName and custom fields of friends that exist",
		text: `Sets fields of friendships that exist, by friend_update: Remark, GroupName and Tag_SNS_Custom_* are all
that the service lets change. What a row has is set; what it lacks stays as it is. AddSource, AddWording,
AddTime and RemarkTime are not looked at. INPUT is what import takes, such as the different.csv of
verify --fields. A friend who is not there fails.

It is a job of its own: with its own --state, resumed by the same command, with failed.csv and a report.
`,
	}
}

// updating is the operation of update: friend_update.
var updating = job.Operation{
	Command: "update", Doing: "updating", Did: "updated", Settled: "updated",
	Already: "without a field that can be set", Sent: "sent", Suffix: "-update",
	Caller:    func(r *job.Run) migrate.Caller { return migrate.CallerFunc(r.Client.Update) },
	EdgeBytes: sink.UpdateBytes,
}
