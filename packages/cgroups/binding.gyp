{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'cgroups',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
