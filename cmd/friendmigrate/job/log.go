package job

import (
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
)

// eventKey is the key of the stable name that every entry of the log has. Programs may rely on it;
// the message is for people and may change. The topic "watching" lists the names with their levels
// and keys. Keys are added, never changed.
const eventKey = "event"

// Event returns the name of an entry of the log.
func Event(name string) zap.Field { return zap.String(eventKey, name) }

// newLog returns the log, in which it has written the warnings of the settings.
func newLog(o settings.Output, to *terminal.Screen) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(o.LogLevel)
	if err != nil {
		return nil, err
	}
	log := zap.New(zapcore.NewCore(encoder(plain(o, to)), to, level))
	for _, w := range o.Warnings {
		log.Warn(w, Event("settings"))
	}
	return log, nil
}

// plain reports whether log lines are for people.
func plain(o settings.Output, to *terminal.Screen) bool {
	return o.LogFormat == "console" || o.LogFormat == "auto" && to.Terminal()
}

func encoder(forPeople bool) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "time"
	if forPeople {
		c.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		c.EncodeLevel = zapcore.CapitalLevelEncoder
		c.ConsoleSeparator = " "
		return quiet{zapcore.NewConsoleEncoder(c)}
	}
	c.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return zapcore.NewJSONEncoder(c)
}

// quiet leaves out of lines for people the fields for programs, which the message contains in
// words. Errors stay, and so does everything at debug level.
type quiet struct{ zapcore.Encoder }

func (q quiet) Clone() zapcore.Encoder { return quiet{q.Encoder.Clone()} }

func (q quiet) EncodeEntry(e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	kept := make([]zapcore.Field, 0, len(fields))
	for _, f := range fields {
		if f.Type == zapcore.ErrorType || e.Level == zapcore.DebugLevel && f.Key != eventKey {
			kept = append(kept, f)
		}
	}
	return q.Encoder.EncodeEntry(e, kept)
}

// clientLog writes messages of the client into the log.
type clientLog struct{ *zap.Logger }

// Debug logs a message at debug level.
func (l clientLog) Debug(msg string, keysAndValues ...any) {
	l.Sugar().Debugw(msg, append([]any{Event("client")}, keysAndValues...)...)
}

// Warn logs a message as a warning.
func (l clientLog) Warn(msg string, keysAndValues ...any) {
	l.Sugar().Warnw(msg, append([]any{Event("client")}, keysAndValues...)...)
}

// Warner logs messages as warnings of one kind.
func (j *Job) Warner(event zap.Field) func(message string) {
	return func(message string) { j.Log.Warn(message, event) }
}

// logEngine returns a function that logs events of the engine. Frequent events are logged at debug
// level.
func logEngine(log *zap.Logger) func(migrate.Event) {
	return func(e migrate.Event) {
		fields := []zap.Field{Event(e.Name)}
		if e.Code != 0 {
			fields = append(fields, zap.Int("code", e.Code))
		}
		if e.N != 0 {
			fields = append(fields, zap.Int("edges", e.N))
		}
		switch e.Name {
		case "hold":
			log.Warn("nothing gets through, so sending is held; it is tried again by itself. The last answer: "+
				terminal.Brief(e.Text), fields...)
		case "hold-end":
			log.Info("calls get through again; going on", fields...)
		default:
			log.Debug(e.Text, fields...)
		}
	}
}
