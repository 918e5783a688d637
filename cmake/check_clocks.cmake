# cmake -DROOT=... -P check_clocks.cmake
# Fails when a file of londi asks for the time of day outside the places that only write it down. People and NTP set
# that clock; leases, deadlines and schedules must not jump with it.
cmake_minimum_required(VERSION 3.25)
set(written_down_only
  launch/metrics_writer.cc # Time of a line in metrics.jsonl.
  launch/run_folder.cc     # Name of a run's folder.
  monitor/event_log.cc)    # Time of an event.
set(time_of_day "(system|utc|file|high_resolution)_clock|CLOCK_REALTIME|gettimeofday|last_write_time"
                "|std::time\\(|[^a-z_:.]time\\((nullptr|NULL|0)\\)|(pthread_cond|pthread_mutex|sem)_timed")
list(JOIN time_of_day "" time_of_day)
set(bad "")
foreach(layer IN ITEMS core monitor transport actors inference learner configs launch)
  file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${layer}/*.h" "${ROOT}/${layer}/*.cc" "${ROOT}/${layer}/*.cu")
  list(REMOVE_ITEM files ${written_down_only})
  foreach(file IN LISTS files)
    file(STRINGS "${ROOT}/${file}" lines REGEX "${time_of_day}")
    foreach(line IN LISTS lines)
      string(APPEND bad "${file}: ${line}\n  what: the time of day is asked for\n"
        "  why: it can jump, and whatever waits for it with it\n"
        "  fix: use std::chrono::steady_clock or core::Clock; a time that is only written down: name the file in "
        "cmake/check_clocks.cmake\n")
    endforeach()
  endforeach()
endforeach()
if(bad)
  message(FATAL_ERROR "${bad}")
endif()
