package pool

import "strings"

// agentClass is what is known of miners whose user agent has a prefix.
type agentClass struct {
	prefix   string  // lower case
	start    float64 // difficulty of the first job; 0 keeps the operator's
	least    float64 // difficulty control never goes below: firmware of ASICs reads 0.5 as 0
	messages bool    // shows client.show_message, or ignores it safely
}

// agentClasses is searched from the top (requirement R-D1).
var agentClasses = []agentClass{
	{"nerdminer", 0.001, 0, false},
	{"nmminer", 0.001, 0, false},
	{"sparkminer", 0.001, 0, false},
	{"poolscope", 0.001, 0, true},
	{"cpuminer", 0.01, 0, false},
	{"bitaxe", 1024, 1, true},
	{"nerdqaxe", 1024, 1, false},
	{"antminer s9", 8192, 1, false},
	{"antminer", 65536, 1, false},
	{"bmminer", 8192, 1, false},
	{"whatsminer", 65536, 1, false},
	{"bosminer", 65536, 1, false},
	{"braiins", 65536, 1, false},
	{"xminer", 65536, 1, false},
	{"luxminer", 65536, 1, false},
	{"nicehash", 524288, 1, false},
	{"cgminer", 0, 1, true},
}

// classOf finds the class of a user agent; an unknown one has no wishes.
func classOf(agent string) agentClass {
	agent = strings.ToLower(agent)
	for _, class := range agentClasses {
		if strings.HasPrefix(agent, class.prefix) {
			return class
		}
	}
	return agentClass{}
}
