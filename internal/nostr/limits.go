package nostr

// Bounds of what is parsed. A message beyond one of them is refused whole.
const (
	// MaxMessageBytes is the longest message, in bytes of JSON.
	MaxMessageBytes = 256 << 10
	// MaxTags is the largest number of tags of an event.
	MaxTags = 2000
	// MaxTagElements is the largest number of strings in one tag.
	MaxTagElements = 256
	// MaxFilters is the largest number of filters in one REQ.
	MaxFilters = 16
	// MaxFilterValues is the largest number of values of one member of a filter.
	MaxFilterValues = 1000
	// MaxSubscriptionID is the longest subscription id, in characters (NIP-01).
	MaxSubscriptionID = 64

	// maxDepth is how deep brackets may be nested: a message holds an event
	// that holds tags that hold strings; the rest is for unknown members.
	maxDepth = 16
)
