#include "runtime/plan.hpp"

#include "runtime/json.hpp"

namespace foster::runtime
{
namespace
{

// Programs that reap orphans when they are PID 1. "init" is also the name of systemd's and of s6-overlay's.
constexpr std::string_view INITS[] = {
    "foster", ".foster", "tini",    "tini-static", "docker-init", "podman-init", "catatonit",   "dumb-init", "pause",
    "init",   "systemd", "my_init", "s6-svscan",   "runit",       "runit-init",  "openrc-init", "pid1",      "pid1-rs",
};

constexpr const char* UNCLEAR = "it names one thing twice, or in another case";
constexpr const char* UNEXPECTED = "something in it is not of the kind that the specification says";

// Looks up members of objects, and remembers whether there was a problem with any of them.
class Lookup
{
  public:
    const char* problem() const { return problem_; }

    // Empty: the member is absent, or null.
    json::Value find(json::Value object, std::string_view name, bool (*is_type)(json::Value))
    {
        const auto found = json::member(object, name);
        if (!found.is_unambiguous) {
            problem_ = UNCLEAR;
        }
        if (found.value.empty() || json::is_null(found.value)) {
            return {};
        }
        if (!is_type(found.value)) {
            problem_ = UNEXPECTED;
        }
        return found.value;
    }

  private:
    const char* problem_ = nullptr;
};

bool is_sandbox(Lookup& lookup, json::Value config)
{
    const auto annotations = lookup.find(config, "annotations", json::is_object);
    bool found = false;
    for (const std::string_view name : {"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"}) {
        found = json::equals(lookup.find(annotations, name, json::is_string), "sandbox") || found;
    }
    return found;
}

bool has_own_pid_namespace(Lookup& lookup, json::Value config)
{
    const auto linux_section = lookup.find(config, "linux", json::is_object);
    bool found = false;
    for (json::Children namespaces(lookup.find(linux_section, "namespaces", json::is_array)); namespaces.next();) {
        const auto type = lookup.find(namespaces.value(), "type", json::is_string);
        const auto path = lookup.find(namespaces.value(), "path", json::is_string);
        const bool is_own = path.empty() || json::equals(path, "");
        found = (json::equals(type, "pid") && is_own) || found;
    }
    return found;
}

bool is_init(json::Value word)
{
    bool found = false;
    for (const auto name : INITS) {
        found = json::base_name_equals(word, name) || found;
    }
    return found;
}

// Stores the end of the last mount. Returns null if the mounts leave a file system of the container's own at /dev, else
// the problem.
const char* find_place_for_mount(Lookup& lookup, json::Value config, const char*& end)
{
    constexpr const char* NO_PLACE = "its /dev is not a tmpfs of its own, where foster could be put";
    const char* problem = NO_PLACE;
    for (json::Children mounts(lookup.find(config, "mounts", json::is_array)); mounts.next();) {
        const auto destination = lookup.find(mounts.value(), "destination", json::is_string);
        const auto type = lookup.find(mounts.value(), "type", json::is_string);
        if (json::equals(destination, "/dev") || json::equals(destination, "/dev/")) {
            problem = json::equals(type, "tmpfs") ? nullptr : NO_PLACE;
        } else if (json::equals(destination, "/")) {
            problem = NO_PLACE;
        } else if (json::equals(destination, INIT_PATH)) {
            return "something else is mounted where foster would be put";
        }
        end = mounts.value().data() + mounts.value().size();
    }
    return problem;
}

} // namespace

Plan plan_for(std::string_view config)
{
    const auto root = json::parse(config);
    if (!json::is_object(root)) {
        return {.problem = "it is not one JSON object, or it is nested too deep"};
    }
    Lookup lookup;
    const auto process = lookup.find(root, "process", json::is_object);
    const auto args = lookup.find(process, "args", json::is_array);
    json::Children words(args);
    const bool has_command = words.next();
    if (has_command && !json::is_string(words.value())) {
        return {.problem = UNEXPECTED};
    }
    const bool is_wanted =
        has_command && !is_sandbox(lookup, root) && has_own_pid_namespace(lookup, root) && !is_init(words.value());
    if (lookup.problem() != nullptr || !is_wanted) {
        return {.problem = lookup.problem()};
    }
    const char* mounts_end = config.data();
    const char* const no_place = find_place_for_mount(lookup, root, mounts_end);
    const char* const problem = lookup.problem() != nullptr ? lookup.problem() : no_place;
    return {problem == nullptr, problem, static_cast<std::size_t>(args.data() + 1 - config.data()),
            static_cast<std::size_t>(mounts_end - config.data())};
}

} // namespace foster::runtime
