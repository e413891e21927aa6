package job

import (
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/folder"
)

// ObeyPace makes the client follow the pace that is set in the state folder, from its first call
// until Close. The rate is the shard's share of that pace, and at most ceiling calls per second.
func (j *Job) ObeyPace(ceiling float64) {
	var last folder.Pace
	broken := false
	look := func() {
		now, err := folder.ReadPace(j.Base())
		if err != nil && !broken {
			j.Log.Warn(err.Error()+"; the pace stays as it is", Event("pace"))
		}
		broken = err != nil
		if broken || now == last {
			return
		}
		last = now
		rate := j.Set.Pace.Rate
		if now.Rate > 0 {
			rate = min(ceiling, j.Set.Job.Shard.RateOf(now.Rate))
		}
		text := now.String()
		if text == "" {
			text = "as --rate says"
		}
		j.Log.Info("the pace was set: "+text, Event("pace"), zap.Float64("rate", rate), zap.Bool("paused", now.Paused))
		if now.Paused {
			rate = 0
		}
		j.Client.SetPace(rate)
	}
	look()
	quit := make(chan struct{})
	done := j.Background(func() {
		tick := time.NewTicker(Tick)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				look()
			}
		}
	})
	j.unpace = func() {
		close(quit)
		<-done
	}
}
