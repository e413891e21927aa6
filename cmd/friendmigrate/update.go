package main

import (
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

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
