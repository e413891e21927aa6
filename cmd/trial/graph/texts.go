package graph

// texts are what optional fields are made of.
type texts struct {
	given, family, groups, wordings, values []string
}

var latin = texts{
	given:    []string{"Anna", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jonas", "Karen", "Leo", "Maria", "Noah", "Olga", "Paul"},
	family:   []string{"Adams", "Baker", "Carter", "Dixon", "Evans", "Fisher", "Gray", "Hughes", "Ingram", "Jones", "King", "Lewis"},
	groups:   []string{"Family", "Friends", "Work", "School", "Neighbours", "Sports", "Music", "Travel"},
	wordings: []string{"Hi, it is me", "We met at the fair", "From the running club", "Please add me", "Your new neighbour"},
	values:   []string{"level", "badge", "team"},
}

var worldwide = texts{
	given: append([]string{"Zoë", "Łukasz", "Ñandú", "Jürgen", "Αθηνά", "Дмитрий", "אסתר", "محمد", "अनीता", "สมชาย", "伟", "美咲", "지우", "👩‍🚀 Sally"},
		latin.given...),
	family: append([]string{"Müller", "Øster", "Παππάς", "Иванова", "לוי", "العلي", "शर्मा", "王", "佐藤", "김", "e\u0301toile"},
		latin.family...),
	groups:   append([]string{"家人", "同学", "Öffentlich", "Друзья"}, latin.groups...),
	wordings: append([]string{"你好，我是你的新邻居", "¿Te acuerdas de mí?", "Мы встречались на ярмарке 🎡"}, latin.wordings...),
	values:   append([]string{"等级", "équipe"}, latin.values...),
}

func textsFor(unicode bool) *texts {
	if unicode {
		return &worldwide
	}
	return &latin
}

func pick(list []string, choice *random) string { return list[choice.below(uint64(len(list)))] }

// remark appends a name, at most 96 bytes.
func (t *texts) remark(dst []byte, choice *random, awkward bool) []byte {
	given, family := pick(t.given, choice), pick(t.family, choice)
	kind := uint64(0)
	if awkward {
		kind = choice.below(12)
	}
	switch kind {
	case 1:
		return append(append(append(append(dst, family...), ", "...), given...), " (office)"...)
	case 2:
		return append(append(append(append(dst, given...), ` "the boss" `...), family...), ";"...)
	case 3:
		return append(append(append(dst, given...), "\n"...), family...)
	case 4:
		return append(append(append(append(dst, " =1+1, '"...), given...), `\' {"a":1} `...), "\t"...)
	}
	return append(append(append(dst, given...), ' '), family...)
}

// someGroups appends one to three different groups.
func (t *texts) someGroups(dst []string, choice *random) []string {
	n := len(t.groups)
	first, step := int(choice.below(uint64(n))), 1+int(choice.below(3))
	for i := range 1 + int(choice.below(5))/2 {
		dst = append(dst, t.groups[(first+i*step)%n])
	}
	return dst
}
