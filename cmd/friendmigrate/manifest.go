package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/settings"
)

func manifestHelp() string {
	return `friendmigrate manifest [flags] [-- FLAGS OF IMPORT...]

` + paragraph(`Prints Kubernetes YAML (1.34 and newer) of an import, for kubectl apply -f -: a Job, its volume claim and a network policy, on request a CronJob,
a Job for each shard, a PodMonitor. It talks to no cluster and reads no key: --secret names the Secret that has it. Whatever import would refuse
of its flags is refused here. Flags of import that are not listed below stand behind --, as in: manifest --region singapore -- --mutual`) +
		flagHelp(settings.ManifestFlags()) + variableHelp("Every flag") +
		"Exit codes: 0; 2 for settings that cannot be used; 1 for anything else.\n"
}

// manifestAction is the command manifest.
func (p *program) manifestAction(_ context.Context, c *cli.Command) error {
	options, err := settings.ReadManifest(p.values(c), c.Args().Slice(), programVersion())
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	text, err := manifest.Render(options)
	if err != nil {
		return err
	}
	if _, err := p.std.out.Write(text); err != nil {
		return fmt.Errorf("print the manifest: %w", err)
	}
	return nil
}
