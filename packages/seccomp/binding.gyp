{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'seccomp',
    'sources': ['native/binding.cc', 'native/ops.c', 'native/handover.c', 'native/notify.c', '../sys/native/apply.c', '../sys/native/path.c', '../sys/native/procfs.c'],
  }],
}
